"""Addresses that nobody confirmed. {_id: keyed hash of an e-mail address that has had its one e-mail, at}"""

from datetime import datetime

from shared.mongo import Db


def take_first_email(db: Db, email_hash: str, moment: datetime) -> bool:
    """True once for each address, until it is forgotten."""
    if db.first_emails.find_one({"_id": email_hash}):
        return False
    db.first_emails.insert_one({"_id": email_hash, "at": moment})
    return True
