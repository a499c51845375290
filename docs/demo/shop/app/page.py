"""The page that the shop serves."""

import json

GREETING = "Welcome"


def render() -> str:
    with open("/app/catalogue.json") as catalogue:
        goods = ", ".join(f"{row['name']} {row['price']}" for row in json.load(catalogue))
    return f"{GREETING}: {goods}\n"
