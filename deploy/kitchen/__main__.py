from deploy.kitchen.commands import kitchen

if __name__ == "__main__":
    kitchen(prog_name="kitchen")
