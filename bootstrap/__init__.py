"""What a fleet's pipelines need before its first deployment: where the state lies, and who may deploy which stack."""
