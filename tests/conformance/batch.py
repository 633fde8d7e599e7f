"""How a script of calls says under which name and with which configuration it runs."""

# What most scripts need: every kind of znode, all four-letter words, a superuser (super:secret).
SUPER_DIGEST = "super:lK75jTNcA+U9vtVEw5vB51mj/w4="
USUAL = (
    "extendedTypesEnabled=true",
    "4lw.commands.whitelist=*",
    f"DigestAuthenticationProvider.superDigest={SUPER_DIGEST}",
)


def batch(name, settings=(), java_options=(), zabd_only=False, alone=False):
    """Marks a function of one Side. `zabd_only`: the calls would end Apache ZooKeeper, or would
    never be answered there; the function states with Side.expect what zabd must say. `alone`: it has
    servers of its own, because what it leaves shows in the answers to others, or theirs in its own."""

    def mark(function):
        function.batch_name = name
        function.settings = tuple(settings)
        function.java_options = tuple(java_options)
        function.zabd_only = zabd_only
        function.alone = alone
        return function

    return mark
