from shared.service import Service

service = Service("intake")
