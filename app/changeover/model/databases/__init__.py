"""What database servers say of their replication, and how two of them stand to each other."""
