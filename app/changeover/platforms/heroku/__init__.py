"""Heroku: its apps by the Platform API, and their databases by Heroku Postgres' own."""
