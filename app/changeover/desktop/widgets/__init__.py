"""Widgets, questions and drawing that several windows share; they know no switchboard."""
