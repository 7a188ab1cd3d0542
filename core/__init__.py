"""The words everyone speaks: values, enums, the error tree, aware-UTC time, configuration."""
