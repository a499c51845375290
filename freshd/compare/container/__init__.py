"""The container link: what containers hold, against tree, image and what freshd wrote."""
