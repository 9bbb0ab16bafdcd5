STA_IF = 0


class WLAN:
    def __init__(self, _interface):
        pass

    def active(self, _on):
        pass

    def isconnected(self):
        return True
