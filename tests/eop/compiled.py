"""Templates and routes compiled once for all the sites that one process of tests makes."""

from flask import Flask
from jinja2 import BytecodeCache
from werkzeug.routing import Rule


class Compiled(BytecodeCache):
    """In memory; a template that has changed has another checksum."""

    def __init__(self):
        self.kept = {}

    def load_bytecode(self, bucket):
        if code := self.kept.get((bucket.key, bucket.checksum)):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket):
        self.kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


class CompiledRule(Rule):
    """A route whose builders of addresses, made of source text each time, are kept."""

    kept = {}

    def _compile_builder(self, append_unknown=True):
        key = (tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in self.kept:
            self.kept[key] = super()._compile_builder(append_unknown)
        return self.kept[key]


def once():
    """Have every application that is made from now on share what is compiled."""
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": Compiled()}
    Flask.url_rule_class = CompiledRule
