"""What is sent: blocks to MJML to HTML to frozen Mustache source, and the words for the text part."""
