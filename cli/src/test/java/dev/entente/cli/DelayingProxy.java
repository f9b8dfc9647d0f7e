// SPDX-License-Identifier: Apache-2.0
package dev.entente.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/** Carries TCP connections to another address, each byte a little later than it came. */
final class DelayingProxy implements AutoCloseable {
  private static final Logger LOG = System.getLogger(DelayingProxy.class.getName());
  private static final int CHUNKS_MAX = 1_000;

  private record Chunk(byte[] bytes, long dueNanos) {}

  private final ServerSocket socket;
  private final InetSocketAddress to;
  private final long delayNanos;
  private volatile int damagedPerThousand;

  DelayingProxy(InetAddress at, InetSocketAddress to, long delayMillis) throws IOException {
    this.socket = new ServerSocket(0, 50, at);
    this.to = to;
    this.delayNanos = TimeUnit.MILLISECONDS.toNanos(delayMillis);
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return socket.getLocalPort();
  }

  /** Of a thousand pieces so many have a bit flipped from here on. */
  void damage(int perThousand) {
    damagedPerThousand = perThousand;
  }

  private byte[] carried(byte[] bytes) {
    ThreadLocalRandom chance = ThreadLocalRandom.current();
    if (chance.nextInt(1_000) < damagedPerThousand) {
      bytes[chance.nextInt(bytes.length)] ^= (byte) (1 << chance.nextInt(8));
    }
    return bytes;
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        Socket from = socket.accept();
        Thread.ofVirtual().start(() -> carry(from));
      } catch (IOException e) {
        return;
      }
    }
  }

  private void carry(Socket from) {
    try {
      Socket there = new Socket();
      there.connect(to, 3_000);
      from.setTcpNoDelay(true);
      there.setTcpNoDelay(true);
      carry(from, there);
      carry(there, from);
    } catch (IOException e) {
      closeAll(from);
    }
  }

  private void carry(Socket from, Socket there) {
    BlockingQueue<Chunk> chunks = new LinkedBlockingQueue<>(CHUNKS_MAX);
    Thread.ofVirtual().start(() -> read(from, there, chunks));
    Thread.ofVirtual().start(() -> write(from, there, chunks));
  }

  private void read(Socket from, Socket there, BlockingQueue<Chunk> chunks) {
    byte[] buffer = new byte[1 << 14];
    try {
      InputStream in = from.getInputStream();
      for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
        chunks.put(
            new Chunk(carried(Arrays.copyOf(buffer, length)), System.nanoTime() + delayNanos));
      }
      chunks.put(new Chunk(new byte[0], System.nanoTime() + delayNanos));
    } catch (IOException e) {
      closeAll(from, there);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void write(Socket from, Socket there, BlockingQueue<Chunk> chunks) {
    try {
      OutputStream out = there.getOutputStream();
      for (Chunk chunk = chunks.take(); chunk.bytes.length > 0; chunk = chunks.take()) {
        TimeUnit.NANOSECONDS.sleep(chunk.dueNanos - System.nanoTime());
        out.write(chunk.bytes);
      }
      there.shutdownOutput();
    } catch (IOException e) {
      closeAll(from, there);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void closeAll(Socket... sockets) {
    for (Socket socket : sockets) {
      try {
        socket.close();
      } catch (IOException e) {
        LOG.log(Level.DEBUG, "a connection that is of no use any more does not close", e);
      }
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
