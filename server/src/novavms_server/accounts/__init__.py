"""Orgs, users, sessions, service accounts and their keys: who may do what."""
