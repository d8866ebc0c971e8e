"""The container builder: native packages for Lambda from any host that has a container engine."""
