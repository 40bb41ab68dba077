/* SPDX-License-Identifier: MIT
 * netcert.c - makes a certificate and its key for fakehub --tls.
 *     netcert CERT.pem KEY.pem [HOST [DAYS]]     HOST: localhost; DAYS: 30, negative: expired */
#include "cert.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc < 3 || !cert_make(argv[1], argv[2], argc > 3 ? argv[3] : "localhost",
                               argc > 4 ? (int)strtol(argv[4], NULL, 10) : 30)) {
        (void)fprintf(stderr, "netcert: no certificate was made\n");
        return 2;
    }
    return 0;
}
