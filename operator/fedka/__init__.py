"""Federated learning on Kubernetes with Kafka as the only wire."""
