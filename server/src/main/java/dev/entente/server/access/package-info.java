// SPDX-License-Identifier: Apache-2.0
/**
 * Who may do what: accounts with grants, their tokens, and how fast somebody may go on. Free of
 * HTTP.
 */
@NullMarked
package dev.entente.server.access;

import org.jspecify.annotations.NullMarked;
