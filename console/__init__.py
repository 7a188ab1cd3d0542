"""Where people come in: the command line. The one place that wires objects together."""
