"""Translates Athena's SQL, and the types of Glue and Athena, for DuckDB.

stdin:  {"athena": [SQL, ...], "glueTypes": [type, ...], "athenaTypes": [type, ...]}
stdout: the same keys with the translations, in the same order. SQL that Athena would not parse is an error.
"""

import json
import sys

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel


def statement(sql: str) -> str:
    [one] = sqlglot.transpile(sql, read="athena", write="duckdb", unsupported_level=ErrorLevel.RAISE)
    return one


def column_type(text: str, dialect: str) -> str:
    return exp.DataType.build(text, dialect=dialect).sql("duckdb")


asked = json.load(sys.stdin)
json.dump(
    {
        "athena": [statement(sql) for sql in asked["athena"]],
        "glueTypes": [column_type(text, "hive") for text in asked["glueTypes"]],
        "athenaTypes": [column_type(text, "trino") for text in asked["athenaTypes"]],
    },
    sys.stdout,
)
