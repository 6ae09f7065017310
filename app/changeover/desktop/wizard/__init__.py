"""The wizard: from "which way?" to "visitors are served", one page a question."""
