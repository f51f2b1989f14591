/* The floor for recording: the least that any program must do per camera, in C, in one thread.
 *
 *   floor FOLDER URL...      plays each rtsp:// URL (no login, first track at URL/trackID=0) over TCP and writes every RTP
 *                            packet to FOLDER/<number>.raw, one write(2) per packet, until it is killed.
 *
 * Reads with epoll into one buffer per camera, takes the packets out of the interleaved stream (RFC 2326 section 10.12), and writes
 * them. It makes no fragments, no index, no times, and checks nothing: whatever a recorder does beyond this is its own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024 };

struct camera {
    int socket, file, is_playing;
    size_t have;
    unsigned char buffer[BUFFER];
};

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void say(int to, const char *text) {
    if (write(to, text, strlen(text)) != (ssize_t)strlen(text)) die("write");
}

/* One request and its answer's head, blocking; the answer is copied to `answer`. */
static void ask(int to, const char *request, char *answer, size_t room) {
    size_t have = 0;
    say(to, request);
    while (have + 1 < room) {
        if (read(to, answer + have, 1) != 1) die("read");
        answer[++have] = 0;
        if (have >= 4 && !memcmp(answer + have - 4, "\r\n\r\n", 4)) break;
    }
    if (strncmp(answer, "RTSP/1.0 200", 12)) {
        fprintf(stderr, "floor: %s", answer);
        exit(1);
    }
}

static void begin(struct camera *camera, const char *url, const char *folder, int number) {
    char host[64], request[512], answer[4096], session[128], path[1024];
    int port = 554;
    struct sockaddr_in address = {.sin_family = AF_INET};

    if (sscanf(url, "rtsp://%63[^:/]:%d", host, &port) < 1) die("url");
    address.sin_port = htons((unsigned short)port);
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) die("address");
    camera->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(camera->socket, (struct sockaddr *)&address, sizeof address)) die("connect");
    snprintf(request, sizeof request,
             "SETUP %s/trackID=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n", url);
    ask(camera->socket, request, answer, sizeof answer);
    char *found = strstr(answer, "Session: ");
    if (!found || sscanf(found + 9, "%127[^;\r]", session) != 1) die("session");
    snprintf(path, sizeof path, "%s/%d.raw", folder, number);
    camera->file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    if (camera->file < 0) die("open");
    snprintf(request, sizeof request, "PLAY %s RTSP/1.0\r\nCSeq: 2\r\nSession: %s\r\n\r\n", url, session);
    say(camera->socket, request);
    fcntl(camera->socket, F_SETFL, O_NONBLOCK);
}

/* Writes all whole packets of the picture; keeps the rest. */
static void take(struct camera *camera) {
    unsigned char *data = camera->buffer;
    size_t at = 0;
    while (camera->have - at >= 4) {
        if (data[at] != '$') { /* the answer to PLAY */
            unsigned char *end = memmem(data + at, camera->have - at, "\r\n\r\n", 4);
            if (!end) break;
            at = (size_t)(end - data) + 4;
            continue;
        }
        size_t size = (size_t)data[at + 2] << 8 | data[at + 3];
        if (camera->have - at < 4 + size) break;
        if (data[at + 1] == 0 && write(camera->file, data + at + 4, size) != (ssize_t)size) die("write");
        at += 4 + size;
    }
    memmove(data, data + at, camera->have - at);
    camera->have -= at;
}

int main(int count, char **words) {
    if (count < 3) return 2;
    int many = count - 2, poll = epoll_create1(0);
    struct camera *cameras = calloc((size_t)many, sizeof *cameras);
    struct epoll_event ready[64];

    for (int i = 0; i < many; i++) {
        struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = &cameras[i]};
        begin(&cameras[i], words[i + 2], words[1], i);
        if (epoll_ctl(poll, EPOLL_CTL_ADD, cameras[i].socket, &wanted)) die("epoll_ctl");
    }
    puts("playing");
    fflush(stdout);
    for (;;) {
        int found = epoll_wait(poll, ready, 64, -1);
        for (int i = 0; i < found; i++) {
            struct camera *camera = ready[i].data.ptr;
            ssize_t got = read(camera->socket, camera->buffer + camera->have, BUFFER - camera->have);
            if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) die("a camera left");
            if (got > 0) {
                camera->have += (size_t)got;
                take(camera);
            }
        }
    }
}
