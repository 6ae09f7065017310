"""What is observed and told while nothing is switched: snapshots, live states, propagation, discovery."""
