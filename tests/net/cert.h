/* SPDX-License-Identifier: MIT
 * cert.h - a certificate for the TLS ports, signed by itself: clients are given it as their CA. */
#ifndef NET_CERT_H
#define NET_CERT_H

#include <stdbool.h>

/* For this host and 127.0.0.1, good for so many days from now (negative: expired).  PEM files. */
bool cert_make(const char *cert, const char *key, const char *host, int days);

#endif
