// SPDX-License-Identifier: Apache-2.0
package dev.entente.server;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * Recognizes a TLS handshake on a port of plain HTTP, and answers it with the alert {@code
 * protocol_version}: no version of TLS is spoken here. The web framework asks the one without a
 * connection which protocol a client speaks, and has one for each such connection answer it.
 */
final class HandshakeRefusal implements ServerConnectionSelector, ServerConnection {
  /** The content type of a TLS record that belongs to a handshake (RFC 8446, 5.1). */
  private static final byte HANDSHAKE = 22;

  /** A TLS record: alert, version 3.1 as in a first record, 2 bytes: fatal, protocol_version. */
  private static final byte[] ALERT = {21, 3, 1, 0, 2, 2, 70};

  private final Runnable onHandshake;
  private final Optional<ConnectionContext> connection;

  /**
   * @param onHandshake is told of each such connection
   */
  HandshakeRefusal(Runnable onHandshake) {
    this(onHandshake, Optional.empty());
  }

  private HandshakeRefusal(Runnable onHandshake, Optional<ConnectionContext> connection) {
    this.onHandshake = onHandshake;
    this.connection = connection;
  }

  @Override
  public int bytesToIdentifyConnection() {
    return 1;
  }

  @Override
  public Support supports(BufferData begin) {
    return begin.get(0) == HANDSHAKE ? Support.SUPPORTED : Support.UNSUPPORTED;
  }

  @Override
  public Set<String> supportedApplicationProtocols() {
    return Set.of();
  }

  @Override
  public ServerConnection connection(ConnectionContext context) {
    return new HandshakeRefusal(onHandshake, Optional.of(context));
  }

  @Override
  public void handle(Limit limit) {
    onHandshake.run();
    connection.ifPresent(context -> context.dataWriter().writeNow(BufferData.create(ALERT)));
  }

  @Override
  public Duration idleTime() {
    return Duration.ZERO;
  }

  @Override
  public void close(boolean interrupt) {
    // The connection ends once it is answered.
  }
}
