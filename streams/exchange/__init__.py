"""The agencies' exchange: to each agency a topic of its own, with the conclusions and the fields it may see, and nothing else."""
