// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A connection ends that sends frames without end which carry no request. */
class Http2FramesTest {
  private static final byte[] NONE = new byte[0];
  private static final int GOAWAY = 7;

  /** The most that such a connection may send; well above every limit. */
  private static final int FRAMES = 3 * FrameLimit.FRAMES_MAX;

  /** {@code GET /health/live} with the authority {@code x}, in HPACK; without an end. */
  private static final byte[] REQUEST = {
    (byte) 0x82,
    4,
    12,
    '/',
    'h',
    'e',
    'a',
    'l',
    't',
    'h',
    '/',
    'l',
    'i',
    'v',
    'e',
    (byte) 0x86,
    1,
    1,
    'x'
  };

  private static Served served;

  @BeforeAll
  static void start() {
    served = new Served();
  }

  @AfterAll
  static void close() {
    served.close();
  }

  private static byte[] frame(int type, int flags, int stream, byte[] payload) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(0);
    out.write(payload.length >> 8);
    out.write(payload.length);
    out.write(type);
    out.write(flags);
    for (int shift = 24; shift >= 0; shift -= 8) {
      out.write(stream >> shift);
    }
    out.writeBytes(payload);
    return out.toByteArray();
  }

  private static Socket connected() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), served.port());
    socket.setSoTimeout(10_000);
    OutputStream out = socket.getOutputStream();
    out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    out.write(frame(4, 0, 0, NONE));
    return socket;
  }

  /** Reads frames until the connection ends, or one of a type has come; that type, or -1. */
  private static int readUntil(InputStream in, int type) throws IOException {
    try {
      while (true) {
        byte[] head = in.readNBytes(9);
        if (head.length < 9) {
          return -1;
        }
        int length = ((head[0] & 0xFF) << 16) | ((head[1] & 0xFF) << 8) | (head[2] & 0xFF);
        if (in.readNBytes(length).length < length) {
          return -1;
        }
        if (head[3] == type || head[3] == GOAWAY) {
          return head[3];
        }
      }
    } catch (SocketTimeoutException e) {
      throw new AssertionError("the connection goes on", e);
    } catch (IOException e) {
      return -1; // Reset, as more came than was read.
    }
  }

  static Stream<Arguments> floods() {
    byte[] opened = frame(1, 1, 1, REQUEST);
    byte[] posted = frame(1, 4, 1, REQUEST);
    return Stream.of(
        Arguments.of("empty CONTINUATION", opened, frame(9, 0, 1, NONE), 1_000),
        Arguments.of("CONTINUATION of one byte", opened, frame(9, 0, 1, new byte[1]), 1_000),
        Arguments.of("empty DATA", posted, frame(0, 0, 1, NONE), 1_000),
        Arguments.of("PING", NONE, frame(6, 0, 0, new byte[8]), FRAMES),
        Arguments.of("PING that is an answer", NONE, frame(6, 1, 0, new byte[8]), FRAMES),
        Arguments.of("SETTINGS", NONE, frame(4, 0, 0, NONE), FRAMES),
        Arguments.of("SETTINGS that is an answer", NONE, frame(4, 1, 0, NONE), FRAMES),
        Arguments.of("PRIORITY", NONE, frame(2, 0, 3, new byte[] {0, 0, 0, 0, 1}), FRAMES),
        Arguments.of("WINDOW_UPDATE", NONE, frame(8, 0, 0, new byte[] {0, 0, 0, 1}), FRAMES),
        Arguments.of("a frame of an unknown type", NONE, frame(77, 0, 0, NONE), FRAMES));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("floods")
  void aFloodOfFramesEndsItsConnectionAndNoOther(String what, byte[] first, byte[] again, int times)
      throws Exception {
    try (Socket socket = connected()) {
      OutputStream out = socket.getOutputStream();
      Thread writer =
          Thread.ofVirtual()
              .start(() -> {
                try {
                  out.write(first);
                  ByteArrayOutputStream some = new ByteArrayOutputStream();
                  for (int i = 0; i < 100; i++) {
                    some.writeBytes(again);
                  }
                  for (int i = 0; i < times / 100; i++) {
                    out.write(some.toByteArray());
                    out.flush();
                  }
                } catch (IOException e) {
                  // It was ended, as it has to be.
                }
              });
      assertThat(readUntil(socket.getInputStream(), GOAWAY)).as(what).isIn(GOAWAY, -1);
      writer.join(10_000);
    }
    assertThat(served.get("/health/live").status()).isEqualTo(200);
  }

  @Test
  void streamsThatAreOpenedAndResetAtOnceEndTheirConnection() throws Exception {
    try (Socket socket = connected()) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      for (int stream = 1; stream < 1_000; stream += 2) {
        out.writeBytes(frame(1, 5, stream, REQUEST));
        out.writeBytes(frame(3, 0, stream, new byte[4]));
      }
      Thread.ofVirtual()
          .start(() -> {
            try {
              socket.getOutputStream().write(out.toByteArray());
            } catch (IOException e) {
              // It was ended.
            }
          });
      assertThat(readUntil(socket.getInputStream(), GOAWAY)).isIn(GOAWAY, -1);
    }
  }

  @Test
  void headersInAFewPiecesAndAPingNowAndThenAreAnswered() throws Exception {
    try (Socket socket = connected()) {
      OutputStream out = socket.getOutputStream();
      out.write(frame(1, 1, 1, NONE));
      for (byte one : REQUEST) {
        out.write(frame(9, 0, 1, new byte[] {one}));
      }
      out.write(frame(9, 4, 1, NONE));
      assertThat(readUntil(socket.getInputStream(), 1)).isEqualTo(1);
      for (int i = 0; i < 100; i++) {
        out.write(frame(6, 0, 0, new byte[8]));
      }
      assertThat(readUntil(socket.getInputStream(), 6)).isEqualTo(6);
      out.write(frame(1, 5, 3, REQUEST));
      assertThat(readUntil(socket.getInputStream(), 1)).isEqualTo(1);
    }
  }
}
