// SPDX-License-Identifier: Apache-2.0
package dev.entente.server.access;

import java.time.Instant;
import java.util.Optional;

/**
 * A token of an account, without its secret.
 *
 * @param id names the token; the first part of what its owner sends
 * @param note what it is for
 */
public record AccessToken(
    String id, String account, Instant createdAt, Optional<Instant> expiresAt, String note) {}
