"""Record sets, changes of them, and decisions on what name servers and resolvers give."""
