"""What a sending domain must say in the DNS, and what it does say: SPF, DKIM, DMARC and the host of its return paths.

`records` tells what to publish, `checks` looks it up and says what was found in plain words, `verify` keeps the result.
"""
