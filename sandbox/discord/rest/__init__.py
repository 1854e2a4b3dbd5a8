"""The REST API, version 10: one module per resource, a table of routes, and the server that calls them."""
