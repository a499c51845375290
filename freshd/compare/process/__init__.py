"""The process link: what runs, against when the code that it runs landed."""
