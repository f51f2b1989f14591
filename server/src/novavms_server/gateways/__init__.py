"""Gateways: the boxes on site. Pairing, their one socket each, what they are told and what they report."""
