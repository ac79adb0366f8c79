"""The round engine: asks, collects, adds exactly, publishes, and writes down what happened before it acts on it.

It knows no framework and holds no list of updates. All of its state can be rebuilt from the journal and the update
topics, so a killed aggregator loses nothing and asks nobody to train again.
"""
