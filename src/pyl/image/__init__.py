"""Process images: captured from a program at the build, continued by the launcher at a cold start."""
