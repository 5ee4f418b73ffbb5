"""Templates compiled once for all the sites that one process of tests makes."""

from flask import Flask
from jinja2 import BytecodeCache


class Compiled(BytecodeCache):
    """In memory; a template that has changed has another checksum."""

    def __init__(self):
        self.kept = {}

    def load_bytecode(self, bucket):
        if code := self.kept.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket):
        self.kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


def once():
    """Have every application that is made from now on share what is compiled."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Compiled()}
