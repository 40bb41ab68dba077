/* SPDX-License-Identifier: MIT
 * netctl.c - one request to a port of this machine, for scripts.
 *     netctl PORT GET|POST|HEAD TARGET [--body TEXT] [--header LINE]... [--head] [KEY...]
 * Prints the body; with --head the head, too; with KEYs that member of a JSON body, one key after
 * the other.  --body - reads standard input.  Ends with 0, 1: not 2xx, 2: no answer. */
#include "util.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial(int port)
{
    struct sockaddr_in a;
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memset(&a, 0, sizeof(a));
    a.sin_family = AF_INET;
    a.sin_port = htons((uint16_t)port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        return -1;
    }
    return fd;
}

static bool talk(int fd, const struct sb *request, struct sb *answer)
{
    char    piece[65536];
    ssize_t n;

    for (size_t done = 0; done < request->n; done += (size_t)n) {
        n = send(fd, request->p + done, request->n - done, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
    }
    while ((n = recv(fd, piece, sizeof(piece), 0)) > 0) {
        sb_add(answer, piece, (size_t)n);
    }
    return answer->n > 0;
}

static int print_member(const char *body, char **keys)
{
    cJSON       *root = cJSON_Parse(body);
    const cJSON *v = root;
    char        *text;

    for (; v && *keys; keys++) {
        v = cJSON_IsArray(v) ? cJSON_GetArrayItem(v, (int)strtol(*keys, NULL, 10))
                             : cJSON_GetObjectItemCaseSensitive(v, *keys);
    }
    if (!v) {
        cJSON_Delete(root);
        return 1;
    }
    text = cJSON_IsString(v) ? NULL : cJSON_PrintUnformatted(v);
    (void)puts(text ? text : v->valuestring);
    cJSON_free(text);
    cJSON_Delete(root);
    return 0;
}

static void read_input(struct sb *s)
{
    char    piece[65536];
    ssize_t n;

    while ((n = read(STDIN_FILENO, piece, sizeof(piece))) > 0) {
        sb_add(s, piece, (size_t)n);
    }
}

static int show(const struct sb *answer, bool head, char **keys)
{
    const char *body = answer->n ? strstr(answer->p, "\r\n\r\n") : NULL;
    long        status = body && answer->n > 12 ? strtol(answer->p + 9, NULL, 10) : 0;
    size_t      at;

    if (!body) {
        return 2;
    }
    at = (size_t)(body - answer->p) + 4;
    if (*keys && status / 100 == 2) {
        return print_member(answer->p + at, keys);
    }
    at = head ? 0 : at;
    (void)fwrite(answer->p + at, 1, answer->n - at, status / 100 == 2 ? stdout : stderr);
    return status / 100 == 2 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct sb request = {NULL, 0, 0}, body = {NULL, 0, 0}, answer = {NULL, 0, 0};
    bool      head = false;
    int       fd, i, status;

    if (argc < 4) {
        die("netctl PORT METHOD TARGET [--body TEXT] [--header LINE] [--head] [KEY...]");
    }
    sb_printf(&request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n", argv[2],
              argv[3], argv[1]);
    for (i = 4; i < argc && starts_with(argv[i], "--"); i++) {
        if (strcmp(argv[i], "--head") == 0) {
            head = true;
        } else if (strcmp(argv[i], "--header") == 0 && i + 1 < argc) {
            sb_printf(&request, "%s\r\n", argv[++i]);
        } else if (strcmp(argv[i], "--body") == 0 && i + 1 < argc) {
            i++;
            if (strcmp(argv[i], "-") == 0) {
                read_input(&body);
            } else {
                sb_puts(&body, argv[i]);
            }
        }
    }
    sb_printf(&request, "Content-Length: %zu\r\n\r\n", body.n);
    sb_add(&request, sb_text(&body), body.n);
    fd = dial((int)strtol(argv[1], NULL, 10));
    status = fd >= 0 && talk(fd, &request, &answer) ? show(&answer, head, argv + i) : 2;
    if (fd >= 0) {
        (void)close(fd);
    }
    sb_free(&request);
    sb_free(&body);
    sb_free(&answer);
    return status;
}
