"""The alphabet of texts (GSM 03.38). One sign outside of it turns 160 signs into 70."""

BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWICE = set("^{}\\[~]|€")


def is_gsm(text: str) -> bool:
    return all(sign in BASIC or sign in TWICE for sign in text)


def length(text: str) -> int:
    return sum(2 if sign in TWICE else 1 for sign in text)


def segments(text: str) -> int:
    single, part, size = (160, 153, length(text)) if is_gsm(text) else (70, 67, len(text.encode("utf-16-be")) // 2)
    return 1 if size <= single else -(-size // part)
