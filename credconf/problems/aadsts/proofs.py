"""Entra's codes about the secret or the certificate."""

from __future__ import annotations

MEANINGS = {
    7000215: """Entra knows the application, and the secret that was sent is none of its secrets. Most often the
        Secret ID of the portal (a GUID) was copied instead of the Value, which is shown only once; or a line break,
        a space or quotes came along; or the secret belongs to another application or was deleted. `credconf check
        --resolve` warns of the first two. If the Value is lost, make a new secret in the app registration
        (Certificates & secrets). Entra may need a minute or two before it accepts a new one everywhere.""",
    7000222: """The secret was right, and is past its end date. Make a new one in the app registration (Certificates
        & secrets), put it where the configuration refers to, and remove the old one. With a list of two references,
        newest first, the change needs no moment at which everything happens at once; with {file:}, no restart. A
        certificate, or a secret with a reminder before its end, spares you the next time.""",
    70002: """The credentials of the application could not be verified. It is an older and more general form of
        AADSTS7000215: the secret does not match the client id. Check that both belong to the same application in
        the same tenant.""",
    7000216: """The request for a token of the application itself held no secret and no signed assertion. With
        credconf this means that the secret was empty when it was sent: look at what stands in the file or the
        variable now.""",
    7000218: """The registration expects a secret or a signed assertion, and the request held none. Look at what
        stands in the file or the variable of `client_secret` now. A proxy that takes apart the requests' bodies can
        cause it, too.""",
    700025: """The application is registered as a public client (a desktop or mobile application), which can't keep
        a secret, so Entra refuses the one that was sent. In the app registration, under Authentication, turn off
        "Allow public client flows", or use the client id of a confidential client.""",
    700027: """The signature of the assertion could not be verified with any certificate of the application. The
        certificate in the configuration is not the one that was uploaded, was removed there, or its private key
        belongs to another one. Compare the thumbprint in the app registration (Certificates & secrets) with that of
        the file: `openssl x509 -in FILE -noout -fingerprint -sha1`. Upload the public certificate before the
        program uses the new key.""",
    700030: """The application trusts certificates by their subject name and issuer, and the name in the certificate
        that was sent is not one of those. It matters with `send_certificate_chain: true`. Check that the file holds
        the certificate that was meant, with its chain, and which names the application's registration lists.""",
    50012: """The certificate, or what it signed, was not accepted: the chain is not complete or not trusted, the
        subject name or thumbprint is not authorized for the application, or the tenant has no policy for it.
        Compare the certificate with those of the app registration; if it is trusted by its subject name and issuer,
        set `send_certificate_chain: true` and put the whole chain into the file.""",
    50013: """The assertion is expired, not yet valid, malformed, or signed by something that the application does
        not know. The clock of the machine is the first suspect: assertions live ten minutes. Then compare the
        certificate with those of the app registration.""",
    700023: """The assertion was made for another address than the one it was sent to (its audience is the token
        endpoint of a tenant), or the scope names no resource. Check that `authority`, `cloud` and tenant_id are
        those of the application, that no proxy sends requests on to another host, and that the scope is
        RESOURCE/.default.""",
    700024: """An assertion is valid from the moment at which it is signed for a few minutes, by the clock of this
        machine, and Entra's clock says otherwise. Synchronise the machine's clock (NTP; after a suspend, virtual
        machines and WSL are often late). `credconf doctor` shows the difference.""",
    700213: """The application trusts tokens of another issuer (federated credentials), and none of its entries
        matches the issuer, the subject and the audience of the one that was sent. Here, where a secret or a
        certificate is used, it means that another kind of credential reached Entra than the configuration holds:
        look for another library in the program that signs in, too.""",
}
