// SPDX-License-Identifier: Apache-2.0
package dev.entente.cluster.group;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Finds ports for voters on this machine that are said to others before anybody listens there. They
 * lie below those from which systems take the ports of outgoing connections, so that none of these
 * is there first.
 */
public final class FreePort {
  private static final int FIRST = 15_000;
  private static final int LAST = 30_000;
  private static final int TRIES = 200;

  private FreePort() {}

  /** A port of the loopback at which nobody listens now. */
  public static int find() throws IOException {
    BindException taken = new BindException("no port is free");
    for (int i = 0; i < TRIES; i++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST, LAST);
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (BindException e) {
        taken = e;
      }
    }
    throw taken;
  }
}
