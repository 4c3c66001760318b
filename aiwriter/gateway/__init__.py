"""The only code that talks to a language model provider."""
