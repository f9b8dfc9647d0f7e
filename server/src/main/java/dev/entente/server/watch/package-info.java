// SPDX-License-Identifier: Apache-2.0
/** Watches a node: counts what happens, notices what should not be, and tells whoever asked. */
@NullMarked
package dev.entente.server.watch;

import org.jspecify.annotations.NullMarked;
