// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.watch;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How a node is watched.
 *
 * @param directory where its data are, to look at the disk; empty where they are in memory
 * @param mail what sends e-mail, if anything does
 * @param webhooksInside whether webhooks may lead to addresses inside the node's own network
 */
public record Watching(
    Thresholds thresholds,
    Optional<Path> directory,
    Optional<MailSender.Config> mail,
    boolean webhooksInside) {
  /** With the usual thresholds, telling only who is outside. */
  public static final Watching DEFAULT =
      new Watching(Thresholds.DEFAULT, Optional.empty(), Optional.empty(), false);
}
