// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.security.SecureRandom;
import java.time.Duration;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Ends connections of clients that take a port of HTTPS for one of HTTP, or the reverse. A request
 * in plain HTTP is answered with 400 and a sentence (see {@link HttpsEngine}), a TLS handshake with
 * an alert (see {@link HandshakeRefusal}). Each is counted among the malformed requests, and the
 * log says so at most once a minute. Thread-safe.
 */
final class WrongScheme {
  private static final Logger LOG = System.getLogger(WrongScheme.class.getName());
  private static final long QUIET_NANOS = Duration.ofMinutes(1).toNanos();

  private final Runnable count;
  private long connections;
  private long reportedAtNanos = System.nanoTime() - QUIET_NANOS;

  /**
   * @param count counts such a connection
   */
  WrongScheme(Runnable count) {
    this.count = count;
  }

  /** A context whose engines answer plain HTTP. */
  SSLContext httpsOnly(SSLContext context) {
    return new HttpsContext(context, () -> ended("plain HTTP", "HTTPS only"));
  }

  /** What recognizes and ends a TLS handshake on a port of plain HTTP. */
  HandshakeRefusal plainOnly() {
    return new HandshakeRefusal(() -> ended("HTTPS", "plain HTTP only"));
  }

  private void ended(String client, String port) {
    count.run();
    long ended;
    synchronized (this) {
      ended = ++connections;
      if (System.nanoTime() - reportedAtNanos < QUIET_NANOS) {
        return;
      }
      reportedAtNanos = System.nanoTime();
    }
    LOG.log(
        Level.WARNING,
        "a client spoke {0} to this port, which speaks {1}, and its connection was ended; such"
            + " connections since the start: {2}",
        client,
        port,
        ended);
  }

  /** A context that hands out engines of another, each within an {@link HttpsEngine}. */
  private static final class HttpsContext extends SSLContext {
    HttpsContext(SSLContext context, Runnable onPlain) {
      super(new Spi(context, onPlain), context.getProvider(), context.getProtocol());
    }

    private static final class Spi extends SSLContextSpi {
      private final SSLContext context;
      private final Runnable onPlain;

      Spi(SSLContext context, Runnable onPlain) {
        this.context = context;
        this.onPlain = onPlain;
      }

      @Override
      protected void engineInit(
          KeyManager @Nullable [] keys,
          TrustManager @Nullable [] trust,
          @Nullable SecureRandom random) {
        throw new UnsupportedOperationException("the context is initialized");
      }

      @Override
      protected SSLEngine engineCreateSSLEngine() {
        return new HttpsEngine(context.createSSLEngine(), onPlain);
      }

      @Override
      protected SSLEngine engineCreateSSLEngine(String host, int port) {
        return engineCreateSSLEngine();
      }

      @Override
      protected SSLSocketFactory engineGetSocketFactory() {
        return context.getSocketFactory();
      }

      @Override
      protected SSLServerSocketFactory engineGetServerSocketFactory() {
        return context.getServerSocketFactory();
      }

      @Override
      protected SSLSessionContext engineGetServerSessionContext() {
        return context.getServerSessionContext();
      }

      @Override
      protected SSLSessionContext engineGetClientSessionContext() {
        return context.getClientSessionContext();
      }

      @Override
      protected SSLParameters engineGetDefaultSSLParameters() {
        return context.getDefaultSSLParameters();
      }

      @Override
      protected SSLParameters engineGetSupportedSSLParameters() {
        return context.getSupportedSSLParameters();
      }
    }
  }
}
