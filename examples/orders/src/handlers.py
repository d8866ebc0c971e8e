"""Takes an order and answers with a place to upload its papers to.

What it does at import is what makes cold starts slow: a boto3 client, pydantic models, a requests session.
"""

from __future__ import annotations

import os
from decimal import Decimal

import boto3
import requests
from botocore.config import Config
from pydantic import BaseModel, Field

from pyl import Context, function

BUCKET = os.environ.get("ORDERS_BUCKET", "example-orders")

s3 = boto3.client("s3", region_name="us-east-1", config=Config(signature_version="s3v4"))
session = requests.Session()
session.headers["user-agent"] = "orders/0.1"


class Item(BaseModel):
    sku: str = Field(pattern=r"^[A-Z]+(-[A-Z]+)*$")
    quantity: int = Field(gt=0, le=1000)
    price: Decimal = Field(ge=0, decimal_places=2)


class Order(BaseModel):
    order_id: str = Field(pattern=r"^[A-Z]-\d+$")
    customer: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    items: list[Item] = Field(min_length=1)


class Receipt(BaseModel):
    order_id: str
    total: Decimal
    upload_url: str


@function
def order(context: Context, event: Order) -> Receipt:
    """Validate an order; answer with its total and a presigned URL."""
    receipt = Receipt(
        order_id=event.order_id,
        total=sum((item.price * item.quantity for item in event.items), Decimal(0)),
        upload_url=s3.generate_presigned_url(
            "put_object", Params={"Bucket": BUCKET, "Key": f"{event.order_id}/papers.pdf"}, ExpiresIn=900
        ),
    )
    if warehouse := os.environ.get("WAREHOUSE_URL"):
        session.post(warehouse, json=receipt.model_dump(mode="json"), timeout=5).raise_for_status()
    return receipt
