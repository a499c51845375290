"""What a Dockerfile does with the build context: text and a listing in, an Inference out. Pure."""
