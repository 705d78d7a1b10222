"""Problems of variables and references, and between sources."""

from __future__ import annotations

from credconf.problems.codes import Explanation

EXPLAINED = {
    "bad-reference": Explanation(
        "a mapping is not a valid reference",
        """A reference is a mapping with exactly one key: {env: NAME} for a variable, {file: PATH} for a file, and for
        `client_secret` also {command: [PROGRAM, ARGUMENT]}. Write the name of a variable without `$`. A command is a
        list, because no shell parses it.""",
        wrong="client_secret: {environment: $BILLING_SECRET}",
        right="client_secret: {env: BILLING_SECRET}",
    ),
    "missing-variable": Explanation(
        "a variable in a reference is not set",
        """credconf looks for {env: NAME} in the environment of the process, then in the .env file of its working
        directory. An empty variable counts as unset. A service manager, a container or a scheduler passes only the
        variables of its own configuration, not those of your shell.""",
        wrong="client_secret: {env: BILING_SECRET}",
        right="client_secret: {env: BILLING_SECRET}",
    ),
    "not-allowed": Explanation(
        "a reference needs a permission that the application did not give",
        """Write access to a configuration file must not mean permission to run programs. So {command:} works only if
        the application calls from_config(allow={"command"}). On the command line, use --allow command.""",
        wrong="credconf.from_config()",
        right='credconf.from_config(allow={"command"})',
    ),
    "command-failed": Explanation(
        "the program of a reference did not print a secret",
        """It could not be started, had an exit status other than 0, ran for more than 10 seconds, or printed more than
        64 KB or text that is not UTF-8. It runs without a shell and without input, so it can't ask a question. Run
        it yourself, with the application's user and variables. credconf discards its standard error, which may
        contain secrets.""",
        wrong="client_secret: {command: [sh, -c, pass entra]}",
        right="client_secret: {command: [pass, show, entra]}",
    ),
    "bad-certificate": Explanation(
        "the file of the certificate is not valid",
        """The file must contain one RSA private key and its certificate, as PEM (both in one file, in any order) or as
        PFX. `client_certificate_password` decrypts an encrypted key. Entra accepts only signatures of RSA keys. A
        .cer or .crt file alone, which you upload to Entra, has no private key.""",
        wrong="client_certificate: {file: entra.cer}",
        right="client_certificate: {file: entra.pem}   # cat entra.key entra.cer > entra.pem",
    ),
    "unknown-variable": Explanation(
        "a variable is almost one of credconf's",
        """A variable that begins with CREDCONF_ and resembles a known one is an error, because it is probably misspelt:
        the setting would silently come from another source, or keep its default. The name for a setting is
        CREDCONF_<FIELD>, in a group CREDCONF_HTTP__TIMEOUT, of an entry CREDCONF__<NAME>__<FIELD>. credconf ignores
        variables that resemble none of these.""",
        wrong="CREDCONF_TENNANT_ID=contoso.onmicrosoft.com",
        right="CREDCONF_TENANT_ID=contoso.onmicrosoft.com",
    ),
    "unheard-variable": Explanation(
        "a variable is set, but it has no effect",
        """A named entry reads only CREDCONF__<NAME>__<FIELD>, so variables of the flat form do not affect it.
        credconf reads CREDCONF_FILE and CREDCONF_NAME only from the environment of the process: a discovered
        .env file can't choose the identity. HTTPS_PROXY, NO_PROXY and REQUESTS_CA_BUNDLE have no effect in .env
        either. With a secret, azure-identity's options for certificates (AZURE_CLIENT_CERTIFICATE_PASSWORD) have no
        effect, as in azure-identity.""",
        wrong="CREDCONF_NAME=billing CREDCONF_CLOUD=usgov",
        right="CREDCONF_NAME=billing CREDCONF__BILLING__CLOUD=usgov",
    ),
    "bad-variable": Explanation(
        "a variable can't set this setting directly",
        """A certificate and its private key are a file of many lines, so a variable holds the path, not the content.
        The name of the variable for the path ends in _FILE, or is AZURE_CLIENT_CERTIFICATE_PATH.""",
        wrong="CREDCONF_CLIENT_CERTIFICATE='-----BEGIN CERTIFICATE-----…'",
        right="CREDCONF_CLIENT_CERTIFICATE_FILE=/run/secrets/entra.pem",
    ),
    "mixed-identity": Explanation(
        "a client id would be combined with the secret of another identity",
        """A source sets a client id, and the secret or certificate comes from a lower source that sets a different
        client id. Entra would refuse the combination, or accept an unintended one. Set the secret in the same source
        as the client id, or remove one client id. A secret alone from the environment is allowed. If
        AZURE_FEDERATED_TOKEN_FILE is set, a workload-identity webhook of Kubernetes has probably put AZURE_CLIENT_ID
        into the pod: use a named entry, which does not read it, or set `env_prefix`.""",
        wrong="AZURE_CLIENT_ID=22222222-2222-2222-2222-222222222222   # the file has another one, with its secret",
        right="AZURE_CLIENT_ID=22222222-2222-2222-2222-222222222222 AZURE_CLIENT_SECRET_FILE=/run/secrets/entra",
    ),
    "redirected-secret": Explanation(
        "a discovered file would redirect a secret",
        """credconf reads credconf.yaml and .env in the working directory automatically. With write access to that
        directory, an attacker could send a secret from another source to another server. So a discovered file
        must not set an authority that is not well known, a region of one, `disable_instance_discovery`, a proxy,
        certificates, or the place and protection of stored tokens, if the secret, or the target of a reference in an
        id, comes from the environment, an argument, a named file, or a file outside its directory. A
        discovered .env must not set these for a named file either. Nor may a discovered file use {github:},
        {azure_pipelines:} or {managed_identity:}: the platform would vouch for the program to the tenant that the
        file names. Name the file, and all its settings are allowed.""",
        wrong="credconf.from_config()",
        right='credconf.from_config("credconf.yaml")',
    ),
}
