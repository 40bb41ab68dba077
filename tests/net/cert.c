/* SPDX-License-Identifier: MIT
 * cert.c - see cert.h. */
#include "cert.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum { DAY = 86400 };

static bool add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX      ctx;
    X509_EXTENSION *e;
    bool            good;

    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    good = e && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    return good;
}

static bool fill(X509 *x, EVP_PKEY *k, const char *host, int days)
{
    X509_NAME *name = X509_get_subject_name(x);
    char       alt[300];

    (void)snprintf(alt, sizeof(alt), "DNS:%s,IP:127.0.0.1", host);
    return X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
           X509_gmtime_adj(X509_getm_notBefore(x), -30L * DAY) &&
           X509_gmtime_adj(X509_getm_notAfter(x), (long)days * DAY) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1,
                                      0) == 1 &&
           X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, k) == 1 &&
           add_extension(x, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(x, NID_subject_alt_name, alt) && X509_sign(x, k, EVP_sha256()) > 0;
}

static bool write_pem(const char *path, X509 *x, EVP_PKEY *k)
{
    FILE *f = fopen(path, "we");
    bool  good = f && (x ? PEM_write_X509(f, x)
                         : PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL)) == 1;

    return f && fclose(f) == 0 && good;
}

bool cert_make(const char *cert, const char *key, const char *host, int days)
{
    EVP_PKEY *k = EVP_EC_gen("P-256");
    X509     *x = X509_new();
    bool      good =
        k && x && fill(x, k, host, days) && write_pem(cert, x, NULL) && write_pem(key, NULL, k);

    X509_free(x);
    EVP_PKEY_free(k);
    return good;
}
