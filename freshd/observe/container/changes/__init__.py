"""What a person changed of the files that an image brought, told from what programs write."""
