"""The one connection to the server: pairing, the socket, reports out, requests in."""
