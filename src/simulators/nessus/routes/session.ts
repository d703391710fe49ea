import { z } from 'zod';
import { json, nothing } from '../answer.ts';
import { bodyOf, type Route } from '../call.ts';

const Login = z.object({ username: z.string(), password: z.string() });

export const SESSION_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/session',
    isOpen: true,
    only: 'self_hosted',
    handle: (call) => {
      const { username, password } = bodyOf(call, Login);
      const token = call.server.sessions.logIn(username, password);
      return json({ token, md5sum_wizard_templates: '0'.repeat(32), md5sum_tenable_links: '0'.repeat(32) });
    },
  },
  {
    method: 'GET',
    path: '/session',
    handle: ({ server }) => {
      const { username } = server.scenario.auth;
      return json({
        id: 2,
        username,
        name: username,
        email: null,
        type: 'local',
        permissions: 128,
        lastlogin: Math.floor(server.clock.now() / 1_000),
        lockout: 0,
        container_id: 0,
        groups: [],
      });
    },
  },
  {
    method: 'DELETE',
    path: '/session',
    handle: ({ server, headers }) => {
      server.sessions.logOut(headers);
      return nothing();
    },
  },
];
