// A bot on Slack's own framework that does no more than acknowledge, and looks the person up behind it.
import bolt from '@slack/bolt';

const app = new bolt.App({
  token: process.env.BOT,
  signingSecret: process.env.SECRET,
  endpoints: '/slack/command',
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
  logLevel: 'error',
});
app.command('/rotation-diag', async ({ ack, command, client }) => {
  await ack();
  await client.users.info({ user: command.user_id });
});
const server = await app.start({ port: 0, host: '127.0.0.1' });
console.log(`listens on http://127.0.0.1:${server.address().port}`);
