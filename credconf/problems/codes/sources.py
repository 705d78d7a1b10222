"""What can be wrong with variables, with references, and between sources."""

from __future__ import annotations

from credconf.problems.explanation import Explanation

EXPLAINED = {
    "bad-reference": Explanation(
        "a mapping stands where a reference should, and is none",
        """A value that is not written out is a mapping with exactly one key: {env: NAME} for a variable, {file:
        PATH} for a file, and for `client_secret` also {command: [PROGRAM, ARGUMENT]}. The name of a variable has no
        `$`. A command is a list, because no shell splits it.""",
        wrong="client_secret: {environment: $BILLING_SECRET}",
        right="client_secret: {env: BILLING_SECRET}",
    ),
    "missing-variable": Explanation(
        "a variable that the configuration names is not set",
        """{env: NAME} is looked for in the environment of the process, then in the .env file of its working
        directory. An empty variable counts as unset. A service manager, a container or a scheduler passes only the
        variables that its own configuration names, not those of your shell.""",
        wrong="client_secret: {env: BILING_SECRET}",
        right="client_secret: {env: BILLING_SECRET}",
    ),
    "not-allowed": Explanation(
        "a reference does more than read, which the application did not allow",
        """Write access to a configuration file is not the right to run programs. So {command:} works only where the
        application itself says from_config(allow={"command"}); on the command line, it is --allow command.""",
        wrong="credconf.from_config()",
        right='credconf.from_config(allow={"command"})',
    ),
    "command-failed": Explanation(
        "the program that should print a secret did not",
        """It could not be started, ended with a status other than 0, ran for more than 10 seconds, or printed more
        than 64 KB or no UTF-8 text. It is started without a shell and without input, so that a question which it
        asks is never answered. Run it by hand, as the user and with the variables that the application has: what it
        wrote to its standard error is not kept, since it may hold secrets.""",
        wrong="client_secret: {command: [sh, -c, pass entra]}",
        right="client_secret: {command: [pass, show, entra]}",
    ),
    "bad-certificate": Explanation(
        "the file of the certificate can't be used",
        """It holds one RSA private key and the certificate that belongs to it, as PEM (both in one file, in any
        order) or as PFX. If the key is encrypted, `client_certificate_password` opens it. Other keys than RSA can't
        sign what Entra accepts here. A .cer or .crt file alone, which is what Entra is given, has no private key.""",
        wrong="client_certificate: {file: entra.cer}",
        right="client_certificate: {file: entra.pem}   # cat entra.key entra.cer > entra.pem",
    ),
    "unknown-variable": Explanation(
        "a variable is nearly one of ours",
        """Variables that begin with CREDCONF_ and resemble one that is known are taken for misspelt: the setting
        would otherwise come from somewhere else, or keep its default, in silence. Every setting is
        CREDCONF_<FIELD>, one of a group CREDCONF_HTTP__TIMEOUT, one of an entry CREDCONF__<NAME>__<FIELD>. What
        resembles nothing is left alone.""",
        wrong="CREDCONF_TENNANT_ID=contoso.onmicrosoft.com",
        right="CREDCONF_TENANT_ID=contoso.onmicrosoft.com",
    ),
    "unheard-variable": Explanation(
        "a variable is set, and has no effect",
        """A named entry reads CREDCONF__<NAME>__<FIELD> only: one name, one identity. So a variable of the
        flat form does nothing for it. CREDCONF_FILE and CREDCONF_NAME are read from the environment of the process,
        and have no effect in a .env file: a file that is merely lying there may not choose who the program is. Nor
        do HTTPS_PROXY, NO_PROXY and REQUESTS_CA_BUNDLE there. Beside a secret, the options of a certificate that
        azure-identity knows (AZURE_CLIENT_CERTIFICATE_PASSWORD) have no effect, as with azure-identity.""",
        wrong="CREDCONF_NAME=billing CREDCONF_CLOUD=usgov",
        right="CREDCONF_NAME=billing CREDCONF__BILLING__CLOUD=usgov",
    ),
    "bad-variable": Explanation(
        "a variable gives a setting that no variable can give so",
        """A certificate comes with its private key, in a file of many lines: a variable does not hold it, but its
        path. The variable that takes a path ends in _FILE, or is AZURE_CLIENT_CERTIFICATE_PATH.""",
        wrong="CREDCONF_CLIENT_CERTIFICATE='-----BEGIN CERTIFICATE-----…'",
        right="CREDCONF_CLIENT_CERTIFICATE_FILE=/run/secrets/entra.pem",
    ),
    "mixed-identity": Explanation(
        "a client id would be used with the secret of another identity",
        """A source gives a client id, and the secret or certificate comes from a source below it, which has another
        client id of its own. Entra would refuse the pair, or worse, accept what nobody meant. Give the secret where
        the client id is given, or remove one client id. A secret alone from the environment is fine. If
        AZURE_FEDERATED_TOKEN_FILE is set, a workload-identity webhook of Kubernetes has probably put
        AZURE_CLIENT_ID into the pod: use a named entry, which does not read it, or set `env_prefix`.""",
        wrong="AZURE_CLIENT_ID=22222222-2222-2222-2222-222222222222   # the file has another one, with its secret",
        right="AZURE_CLIENT_ID=22222222-2222-2222-2222-222222222222 AZURE_CLIENT_SECRET_FILE=/run/secrets/entra",
    ),
    "redirected-secret": Explanation(
        "a discovered file must not decide where a secret is sent",
        """credconf discovers a credconf.yaml or .env in the working directory by itself, so anyone who can put a file
        there could send a secret that comes from elsewhere to their own server. A discovered file may therefore not
        set an authority that is not well known, a region of one, `disable_instance_discovery`, a proxy,
        certificates, or where and how tokens are kept, as long as the secret, or what an id refers to, comes from
        the environment, an argument, a named file, or a file that is not beside the discovered one. Nor may a
        discovered .env supply such a value for a named file. If the program names the file, all of it counts.""",
        wrong="credconf.from_config()",
        right='credconf.from_config("credconf.yaml")',
    ),
}
