"""What we tell people: lines inside the product, and mails about their account."""
