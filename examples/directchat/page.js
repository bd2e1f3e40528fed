const [username, receiver, text, log, status] = ['username', 'receiver', 'text', 'log', 'status'].map((id) => document.getElementById(id));
let socket;

function show(what, kind = '') {
	const line = document.createElement('li');
	line.className = kind;
	line.textContent = what; // never innerHTML: a script that somebody sends is shown, not run
	log.append(line);
	line.scrollIntoView({ block: 'nearest' });
}

document.getElementById('enter').onsubmit = (event) => {
	event.preventDefault();
	socket?.close(1000, 'entering again');
	const name = username.value.trim();
	const own = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws/${encodeURIComponent(name)}`);
	socket = own;
	own.onopen = () => (status.textContent = `You are ${name}.`);
	own.onmessage = (event) => {
		const { sender, data } = JSON.parse(event.data);
		const said = typeof data === 'string' ? data : JSON.stringify(data);
		if (sender) show(`${sender}: ${said}`);
		else show(said, 'note'); // from the server: only it has no name
	};
	own.onclose = ({ code, reason }) => {
		if (socket === own) status.textContent = `You are out (${code} ${reason}).`;
	};
	receiver.focus();
};

document.getElementById('say').onsubmit = (event) => {
	event.preventDefault();
	if (socket?.readyState !== WebSocket.OPEN) return;
	socket.send(JSON.stringify({ receiver: receiver.value.trim(), sender: username.value, data: text.value }));
	show(`you to ${receiver.value.trim()}: ${text.value}`, 'own');
	text.value = '';
};
