"""The wire: topics, Avro schemas, framing. What border systems and every process of ours agree on."""
